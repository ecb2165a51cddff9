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
  const { name } = people[person];
  const visitor = new Visitor(app.url);
  const leave = await visitor.request(path);
  const choice = await (await fetch(leave.headers.get("location"))).text();
  const links = [...choice.matchAll(/<a href="([^"]+)"><strong>([^<]+)</g)];
  const link = links.find(([, , text]) => text === name)[1].replaceAll("&#38;", "&");
  const back = await visitor.request(link);
  if (visitor.cookies["wos-session"] === undefined) {
    throw new Error(`${name} could not sign in: ${back.status} ${await back.text()}`);
  }
  return visitor.cookies;
}
