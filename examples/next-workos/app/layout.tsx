import { signOut } from "@workos-inc/authkit-nextjs";
import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { currentPerson } from "../lib/authz";
import { mayViewBilling } from "../lib/rows";
import "../../workspace/style.css";

export const metadata: Metadata = { title: "Workspace" };

export default async function Layout({ children }: { children: ReactNode }) {
  const { email, org, isSignedIn, isImpersonated } = await currentPerson();
  return (
    <html lang="en">
      <body>
        <header className="bar">
          <Link className="brand" href="/">
            Workspace
          </Link>
          <nav>
            <Link href="/documents">Documents</Link>
            {org && <Link href={`/organizations/${org.id}`}>Organization</Link>}
            {(await mayViewBilling(org?.id)) && <Link href="/billing">Billing</Link>}
          </nav>
          <div className="person">
            {isSignedIn ? (
              <>
                <span>{email}</span>
                <form action={signOutHere}>
                  <button type="submit" className="quiet">
                    Sign out
                  </button>
                </form>
              </>
            ) : (
              <a href="/sign-in">Sign in</a>
            )}
          </div>
        </header>
        {isImpersonated && <p className="notice">Somebody else acts for {email}: no money moves in this session.</p>}
        <main>{children}</main>
      </body>
    </html>
  );
}

async function signOutHere() {
  "use server";
  await signOut();
}
