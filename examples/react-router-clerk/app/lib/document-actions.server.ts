import { type ActionFunctionArgs, data, redirect } from "react-router";
import { type Document, documents } from "../../../workspace/records.mjs";
import { allowedDocument } from "./rows.server";

/** What the buttons of documents do; their intents are the actions that the policies know. */
const changes: Record<string, (row: Document, form: FormData) => Response | null> = {
  edit(row, form) {
    row.title = String(form.get("title") ?? "").trim() || row.title;
    return null;
  },
  publish(row) {
    row.status = "published";
    return null;
  },
  delete(row) {
    documents.delete(row.id);
    return redirect("/documents");
  },
};

/**
 * The action of the routes with documents. It is an endpoint: anybody can call it with any id, whatever buttons a page has
 * shown. So it asks.
 */
export async function changeDocument(args: ActionFunctionArgs) {
  const form = await args.request.formData().catch(() => {
    throw data(null, 400);
  });
  const intent = String(form.get("intent"));
  const change = Object.hasOwn(changes, intent) ? changes[intent] : undefined;
  if (change === undefined) throw data(null, 400);
  const { row } = await allowedDocument(args, String(form.get("id")), intent);
  return change(row, form);
}
