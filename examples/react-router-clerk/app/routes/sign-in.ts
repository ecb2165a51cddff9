import { redirect } from "react-router";

/** Sends to Clerk's page, and from there back to the documents. */
export function loader({ request }: { request: Request }) {
  const page = new URL(process.env.CLERK_SIGN_IN_URL ?? "", request.url);
  page.searchParams.set("redirect_url", new URL("/documents", request.url).href);
  return redirect(page.href);
}
