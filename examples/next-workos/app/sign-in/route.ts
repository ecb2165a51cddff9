import { getSignInUrl } from "@workos-inc/authkit-nextjs";
import { redirect } from "next/navigation";

/** Sends to WorkOS' page, and from there back to the documents. */
export async function GET() {
  redirect(await getSignInUrl({ returnTo: "/documents" }));
}
