"use server";

import { revalidatePath } from "next/cache";
import { allowedOrganization } from "../../../lib/rows";

export async function inviteColleague(form: FormData) {
  const { row } = await allowedOrganization(String(form.get("id")), "members:invite");
  row.seatsUsed += 1;
  revalidatePath(`/organizations/${row.id}`);
}
