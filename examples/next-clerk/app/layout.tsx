import { ClerkProvider, OrganizationSwitcher, UserButton } from "@clerk/nextjs";
import type { Metadata } from "next";
import Link from "next/link";
import type { ReactNode } from "react";
import { currentPerson } from "../lib/authz";
import { mayViewBilling } from "../lib/rows";
import "../../workspace/style.css";

export const metadata: Metadata = { title: "Workspace" };

export default async function Layout({ children }: { children: ReactNode }) {
  const { id, org, isSignedIn, isImpersonated } = await currentPerson();
  return (
    <html lang="en">
      <body>
        <ClerkProvider>
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
                  <span>{org ? `${id}, ${org.role} at ${org.slug}` : id}</span>
                  <OrganizationSwitcher hidePersonal />
                  <UserButton fallback={<a href="/sign-in">Switch</a>} />
                </>
              ) : (
                <a href="/sign-in">Sign in</a>
              )}
            </div>
          </header>
          {isImpersonated && <p className="notice">Somebody else acts for {id}: no money moves in this session.</p>}
          <main>{children}</main>
        </ClerkProvider>
      </body>
    </html>
  );
}
