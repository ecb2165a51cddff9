import { redirect } from "react-router";

/** Sends to Clerk's page, and from there back to the documents. */
export function loader({ request }: { request: Request }) {
  const { CLERK_SIGN_IN_URL } = process.env;
  if (!CLERK_SIGN_IN_URL) throw new Error("the environment lacks CLERK_SIGN_IN_URL: see .env.example");
  const page = new URL(CLERK_SIGN_IN_URL);
  page.searchParams.set("redirect_url", new URL("/documents", request.url).href);
  return redirect(page.href);
}
