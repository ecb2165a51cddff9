/** How people of the stand-ins sign in at an example: the cookies that their browser has afterwards. */

import { people } from "../../../examples/stand-ins/people.mjs";
import { Visitor } from "./visitor.mjs";

/** The cookies of a person of `examples/stand-ins/people.mjs`, or of nobody. */
export async function signIn(app, person) {
  if (person === "nobody") return {};
  return app.clerk === undefined ? signInAtWorkOS(app, person) : app.clerk.cookiesOf(person);
}

/** The whole way, from where the application sends people: to the page of WorkOS, a choice there, and back with a code. */
export async function signInAtWorkOS(app, person, path = "/sign-in") {
  const visitor = new Visitor(app.url);
  const back = await visitor.request(await wayBackFromWorkOS(visitor, person, path));
  if (visitor.cookies["wos-session"] === undefined) {
    throw new Error(`${person} could not sign in: ${back.status} ${await back.text()}`);
  }
  return visitor.cookies;
}

/** Sends a visitor to sign in, and resolves to the address, with a code, to which the choice of a person leads. */
export async function wayBackFromWorkOS(visitor, person, path) {
  const leave = await visitor.request(path);
  const choice = await (await fetch(leave.headers.get("location"))).text();
  const links = [...choice.matchAll(/<a href="([^"]+)"><strong>([^<]+)</g)];
  return links.find(([, , text]) => text === people[person].name)[1].replaceAll("&#38;", "&");
}
