import { auth } from "@clerk/nextjs/server";

/** Sends to Clerk's page, and from there back to the documents. */
export async function GET() {
  const { redirectToSignIn } = await auth();
  return redirectToSignIn({ returnBackUrl: "/documents" });
}
