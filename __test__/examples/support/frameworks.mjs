/**
 * What the suite of the examples must know of their frameworks: in `clientFolder` a build keeps what browsers get, and
 * `actionCalls` call the action behind a button by hand. Each is given the button's form and the id in it, and returns
 * `{ path, headers, body, refused }`, where `refused` is the status of a refusal by person, and of `others`.
 */

function formOf(...fields) {
  const form = new FormData();
  for (const [name, value] of fields) form.append(name, value);
  return form;
}

const actionIdOf = (form) => /name="\$ACTION_ID_(\w+)"/.exec(form)[1];

export const nextjs = {
  clientFolder: ".next/static",
  actionCalls: {
    // By the protocol of React: argument 0, which comes last, is the form whose fields begin with "_1_".
    script: (form, id) => ({
      path: "/documents",
      headers: { "next-action": actionIdOf(form), accept: "text/x-component" },
      body: formOf(["_1_id", id], ["0", '["$K1"]']),
      refused: { nobody: 401, others: 403 },
    }),
    // Without scripts in the browser. Next.js 16 answers all refusals of such a call by "not found".
    form: (form, id) => ({
      path: "/documents",
      body: formOf([`$ACTION_ID_${actionIdOf(form)}`, ""], ["id", id]),
      refused: { others: 404 },
    }),
  },
};

const fieldsOf = (form) => [...form.matchAll(/ name="(\w+)" value="(\w+)"/g)].map(([, ...field]) => field);

export const reactRouter = {
  clientFolder: "build/client",
  actionCalls: {
    script: (form) => ({
      path: "/documents.data",
      body: new URLSearchParams(fieldsOf(form)),
      refused: { nobody: 401, others: 403 },
    }),
    // Without scripts in the browser.
    form: (form) => ({
      path: "/documents",
      body: formOf(...fieldsOf(form)),
      refused: { nobody: 401, others: 403 },
    }),
  },
};
