/** The page of a stand-in on which one chooses who to be. */

import { people } from "./people.mjs";

const html = (text) => text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);

/** HTML with a link for each person; `linkTo(key)` says where it leads. */
export function signInPage(provider, linkTo) {
  const items = Object.entries(people).map(
    ([key, { name, is }]) =>
      `<li><a href="${html(linkTo(key))}"><strong>${html(name)}</strong><span>${html(is)}</span></a></li>`,
  );
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Sign in</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: #f4f4f7; color: #1c1c28; font: 16px/1.5 system-ui, sans-serif; }
  main { width: 24rem; max-width: calc(100vw - 4rem); padding: 2rem; background: #fff; border: 1px solid #e2e2ea; border-radius: 12px; }
  h1 { margin: 0; font-size: 1.25rem; }
  p { margin: .25rem 0 1.25rem; color: #63637a; font-size: .875rem; }
  ul { margin: 0; padding: 0; list-style: none; display: grid; gap: .5rem; }
  a { display: grid; padding: .6rem .9rem; border: 1px solid #e2e2ea; border-radius: 8px; color: inherit; text-decoration: none; }
  a:hover { border-color: #4338ca; }
  span { color: #63637a; font-size: .875rem; }
</style>
<main>
  <h1>Who are you?</h1>
  <p>This page stands in for ${html(provider)}, with keys of its own.</p>
  <ul>${items.join("")}</ul>
</main>
</html>
`;
}
