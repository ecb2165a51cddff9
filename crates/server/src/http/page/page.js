const at = (id) => document.getElementById(id);

const EXAMPLE = {
  principal: { id: "ann", roles: ["user"], attr: {} },
  resources: [{ resource: { kind: "document", id: "1", attr: {} }, actions: ["view", "edit"] }],
  includeMeta: true,
};

/** Fills a row of cells with texts; nothing that comes from the server is ever markup. */
function row(texts) {
  const line = document.createElement("tr");
  for (const text of texts) {
    const cell = document.createElement("td");
    cell.textContent = text;
    line.append(cell);
  }
  return line;
}

function describe(name, text) {
  const [term, definition] = [document.createElement("dt"), document.createElement("dd")];
  term.textContent = name;
  definition.textContent = text;
  return [term, definition];
}

/** What is on the page; what is as it was stays, and with it what somebody has marked. */
let shown;

const time = (milliseconds) => new Date(milliseconds).toLocaleString();

async function showState() {
  let text;
  try {
    text = await (await fetch("/_orthrus/state")).text();
  } catch {
    shown = undefined;
    at("status").textContent = "not to be reached";
    at("status").dataset.status = "";
    return;
  }
  if (text === shown) {
    return;
  }
  shown = text;
  const state = JSON.parse(text);
  const { policies, addresses } = state;
  const parts = policies.count - state.loaded.length;
  at("version").textContent = state.version;
  at("status").textContent = state.status;
  at("status").dataset.status = state.status;
  at("state").replaceChildren(
    ...describe("HTTP", addresses.http),
    ...describe("gRPC", addresses.grpc ?? "off"),
    ...describe("Started", time(state.startedAt)),
    ...describe("Policies", `${policies.count}, from ${policies.driver}${parts > 0 ? ` (${parts} of them are parts that others import)` : ""}`),
    ...describe("Loaded", time(policies.loadedAt)),
    ...(policies.digest === undefined ? [] : describe("Bundle", policies.digest)),
  );
  at("failure").hidden = policies.failure === undefined;
  if (policies.failure !== undefined) {
    const { at: when, message } = policies.failure;
    at("failure").textContent = `What was there at ${time(when)} is refused; the policies below go on deciding.\n\n${message}`;
  }
  at("policies").tBodies[0].replaceChildren(...state.loaded.map(({ key, rules, file }) => row([key, rules, file])));
}

async function check(event) {
  event.preventDefault();
  at("effects").hidden = true;
  at("answer").hidden = false;
  let answer;
  try {
    const body = at("request").value;
    const response = await fetch("/api/check/resources", { method: "POST", headers: { "content-type": "application/json" }, body });
    answer = await response.json();
  } catch (error) {
    at("answer").textContent = `no answer: ${error.message}`;
    return;
  }
  if (answer.results === undefined) {
    at("answer").textContent = answer.message ?? JSON.stringify(answer, null, 2);
    return;
  }
  const rows = answer.results.flatMap(({ resource, actions, meta }) =>
    Object.entries(actions).map(([action, effect]) => {
      const line = row([`${resource.kind} ${resource.id}`, action, effect, meta?.actions[action]?.matchedPolicy ?? ""]);
      line.cells[2].dataset.effect = effect;
      return line;
    }),
  );
  at("effects").tBodies[0].replaceChildren(...rows);
  at("effects").hidden = false;
  at("answer").textContent = JSON.stringify(answer, null, 2);
}

at("request").value = JSON.stringify(EXAMPLE, null, 2);
at("try").addEventListener("submit", check);
await showState();
setInterval(showState, 5000);
