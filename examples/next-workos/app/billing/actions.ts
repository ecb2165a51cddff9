"use server";

import { revalidatePath } from "next/cache";
import { currentPerson } from "../../lib/authz";
import { allowedBilling } from "../../lib/rows";

export async function payInvoice() {
  const { org } = await currentPerson();
  const { row } = await allowedBilling(org?.id, "invoice:pay");
  row.balance = 0;
  revalidatePath("/billing");
}
