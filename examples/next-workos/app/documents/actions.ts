"use server";

import { revalidatePath } from "next/cache";
import { redirect } from "next/navigation";
import { documents } from "../../../workspace/records.mjs";
import { allowedDocument } from "../../lib/rows";

// An action is an endpoint: anybody can call it with any id, whatever buttons a page has shown. So each one asks.

const idOf = (form: FormData) => String(form.get("id"));

export async function renameDocument(form: FormData) {
  const { row } = await allowedDocument(idOf(form), "edit");
  row.title = String(form.get("title") ?? "").trim() || row.title;
  revalidatePath("/documents", "layout");
}

export async function publishDocument(form: FormData) {
  const { row } = await allowedDocument(idOf(form), "publish");
  row.status = "published";
  revalidatePath("/documents", "layout");
}

export async function deleteDocument(form: FormData) {
  const { row } = await allowedDocument(idOf(form), "delete");
  documents.delete(row.id);
  redirect("/documents");
}
