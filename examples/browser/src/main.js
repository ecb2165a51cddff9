/** A page that asks the engine whenever something changes. */

import { Orthrus } from "orthrus";
import { fetchBundle } from "orthrus/bundles";
import { ACTIONS, documents, people } from "./records.js";

const form = document.querySelector("#who");
const rows = document.querySelector("tbody");
const problem = document.querySelector("#problem");
const footer = document.querySelector("#policies");

form.person.append(...Object.keys(people).map((name) => new Option(name)));

function element(name, text, className) {
  const made = document.createElement(name);
  made.textContent = text;
  if (className !== undefined) {
    made.className = className;
  }
  return made;
}

/** What somebody may do with a document, as cells of a table. */
function row({ title, ownerId }, allowed) {
  const cells = ["td", "td", "td"].map((name) => element(name, ""));
  cells[0].textContent = title;
  cells[1].textContent = ownerId;
  cells[2].append(
    ...(allowed.length > 0
      ? allowed.map((action) => element("span", action, "action"))
      : [element("span", "nothing", "none")]),
  );
  const made = document.createElement("tr");
  made.append(...cells);
  return made;
}

function show(orthrus) {
  const resources = documents.map(({ id, title, ...attr }) => ({
    resource: {
      kind: "document",
      id,
      attr: { ...attr, status: form.status.value, legalHold: form.legalHold.checked },
    },
    actions: ACTIONS,
  }));
  const start = performance.now();
  const { results } = orthrus.checkResourcesSync({ principal: people[form.person.value], resources });
  const time = performance.now() - start;
  rows.replaceChildren(
    ...results.map((result, index) =>
      row(
        documents[index],
        ACTIONS.filter((action) => result.isAllowed(action)),
      ),
    ),
  );
  footer.textContent = `${orthrus.policyCount} policies, ${orthrus.bundle.digest}, decided in ${time.toFixed(2)} ms`;
}

try {
  const orthrus = await Orthrus.fromBundle(fetchBundle(new URL("/policies.orb", location.href)));
  form.addEventListener("input", () => show(orthrus));
  show(orthrus);
} catch (error) {
  // Without policies nothing is allowed.
  problem.textContent = `There are no policies to decide by: ${error.message}`;
  problem.hidden = false;
}
