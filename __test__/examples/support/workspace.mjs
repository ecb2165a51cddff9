/** What the examples with pages promise, whichever provider people sign in at: who sees what, and what is refused. */

/** What each person gets of each page: [person, path, status, buttons, texts that are there, texts that must not be]. */
export const pages = [
  [
    "ada",
    "/documents",
    200,
    [
      "Delete Employee handbook",
      "Publish Roadmap 2027",
      "Delete Roadmap 2027",
      "Edit Salary bands",
      "Delete Salary bands",
    ],
    ["Employee handbook", "Evidence for the court", "Salary bands", "Billing"],
    ["Supply contract", "Merger plan"],
  ],
  ["ada", "/documents/salaries", 200, ["Rename", "Delete Salary bands"], ["Salary bands"], ["You may read it"]],
  ["ada", "/documents/contract", 403, [], ["Not allowed"], ["Supply contract"]],
  ["ada", "/documents/nowhere", 403, [], ["Not allowed"], []],
  ["ada", "/billing", 200, ["Pay"], ["€120.50", "4242"], ["1881"]],
  ["ada", "/organizations/org_acme", 200, ["Invite a colleague"], ["Acme", "team"], []],
  ["ada", "/organizations/org_globex", 403, [], ["Not allowed"], ["Globex"]],
  [
    "max",
    "/documents",
    200,
    ["Edit Roadmap 2027", "Delete Roadmap 2027"],
    ["Employee handbook", "Roadmap 2027", "Evidence for the court"],
    ["Salary bands", "Supply contract", "Merger plan", "Billing"],
  ],
  ["max", "/documents/roadmap", 200, ["Rename", "Delete Roadmap 2027"], ["Roadmap 2027"], []],
  ["max", "/documents/handbook", 200, [], ["Employee handbook", "You may read it"], []],
  ["max", "/documents/evidence", 200, [], ["it stays as it is"], []],
  ["max", "/documents/salaries", 403, [], ["Not allowed"], ["Salary bands"]],
  ["max", "/billing", 403, [], ["Not allowed"], ["€", "4242"]],
  ["max", "/organizations/org_acme", 200, [], ["Acme", "team"], ["Invite"]],
  [
    "lea",
    "/documents",
    200,
    [],
    ["Supply contract"],
    ["Employee handbook", "Roadmap", "Evidence", "Salary", "Merger plan", "Billing"],
  ],
  ["lea", "/documents/roadmap", 403, [], ["Not allowed"], ["Roadmap"]],
  ["lea", "/organizations/org_acme", 403, [], ["Not allowed"], ["Acme"]],
  ["lea", "/organizations/org_globex", 200, [], ["Globex", "enterprise"], ["Invite"]],
  [
    "support",
    "/documents",
    200,
    [
      "Delete Employee handbook",
      "Publish Roadmap 2027",
      "Delete Roadmap 2027",
      "Edit Salary bands",
      "Delete Salary bands",
    ],
    ["Somebody else acts for", "Billing"],
    ["Merger plan"],
  ],
  ["support", "/billing", 200, [], ["€120.50", "This session cannot pay"], []],
  ["support", "/organizations/org_acme", 200, [], ["Acme"], ["Invite"]],
  ["nobody", "/documents", 401, [], ["Please sign in"], ["Employee handbook"]],
  ["nobody", "/documents/handbook", 401, [], ["Please sign in"], ["Employee handbook"]],
  ["nobody", "/documents/nowhere", 401, [], ["Please sign in"], []],
  ["nobody", "/billing", 401, [], ["Please sign in"], ["€"]],
  ["nobody", "/organizations/org_acme", 401, [], ["Please sign in"], ["Acme"]],
].map(([person, path, status, buttons, there, absent]) => ({ person, path, status, buttons, there, absent }));

/** What the API answers: [person, method, path, status]. */
export const calls = [
  ["ada", "GET", "/api/documents/salaries", 200],
  ["ada", "GET", "/api/documents/contract", 403],
  ["ada", "GET", "/api/documents/nowhere", 403],
  ["ada", "DELETE", "/api/documents/evidence", 403],
  ["max", "GET", "/api/documents/handbook", 200],
  ["max", "GET", "/api/documents/salaries", 403],
  ["max", "DELETE", "/api/documents/handbook", 403],
  ["lea", "GET", "/api/documents/contract", 200],
  ["lea", "GET", "/api/documents/handbook", 403],
  ["support", "GET", "/api/documents/salaries", 200],
  ["nobody", "GET", "/api/documents/handbook", 401],
  ["nobody", "GET", "/api/documents/nowhere", 401],
  ["nobody", "DELETE", "/api/documents/handbook", 401],
].map(([person, method, path, status]) => ({ person, method, path, status }));

/** All that a refused call of the API says. */
export const refusals = { 401: { error: "unauthorized" }, 403: { error: "forbidden" } };
