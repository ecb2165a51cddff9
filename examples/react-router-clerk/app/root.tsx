import { ClerkProvider, OrganizationSwitcher, UserButton } from "@clerk/react-router";
import { clerkMiddleware, rootAuthLoader } from "@clerk/react-router/server";
import type { ReactNode } from "react";
import {
  isRouteErrorResponse,
  Link,
  Links,
  Meta,
  Outlet,
  Scripts,
  ScrollRestoration,
  useRouteLoaderData,
} from "react-router";
import type { Route } from "./+types/root";
import { currentPerson } from "./lib/authz.server";
import { mayViewBilling } from "./lib/rows.server";
import "../../workspace/style.css";

// With CLERK_JWT_KEY in the environment, Clerk's tokens are verified without a call to Clerk.
export const middleware: Route.MiddlewareFunction[] = [clerkMiddleware()];

export const loader = (args: Route.LoaderArgs) =>
  rootAuthLoader(args, async () => ({
    person: await currentPerson(args),
    billing: await mayViewBilling(args),
  }));

export const meta: Route.MetaFunction = () => [{ title: "Workspace" }];

/** Around every page, and around what the ErrorBoundary shows. */
export function Layout({ children }: { children: ReactNode }) {
  const told = useRouteLoaderData<typeof loader>("root");
  return (
    <html lang="en">
      <head>
        <meta charSet="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <Meta />
        <Links />
      </head>
      <body>
        {told === undefined ? (
          <main>{children}</main>
        ) : (
          <ClerkProvider loaderData={told}>
            <Bar {...told} />
            {told.person.isImpersonated && (
              <p className="notice">Somebody else acts for {told.person.id}: no money moves in this session.</p>
            )}
            <main>{children}</main>
          </ClerkProvider>
        )}
        <ScrollRestoration />
        <Scripts />
      </body>
    </html>
  );
}

function Bar({ person, billing }: Pick<Route.ComponentProps["loaderData"], "person" | "billing">) {
  const { id, org, isSignedIn } = person;
  return (
    <header className="bar">
      <Link className="brand" to="/">
        Workspace
      </Link>
      <nav>
        <Link to="/documents">Documents</Link>
        {org && <Link to={`/organizations/${org.id}`}>Organization</Link>}
        {billing && <Link to="/billing">Billing</Link>}
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
  );
}

export default function App() {
  return <Outlet />;
}

/** What a page that is refused shows. It does not tell whether there is anything to see. */
export function ErrorBoundary({ error }: Route.ErrorBoundaryProps) {
  const status = isRouteErrorResponse(error) ? error.status : 500;
  if (status === 401) {
    return (
      <section className="card stop">
        <h1>Please sign in</h1>
        <p className="lead">This page is for people who are signed in.</p>
        <a className="button primary" href="/sign-in">
          Sign in
        </a>
      </section>
    );
  }
  const [title, lead] = status < 500 ? (refusals[status] ?? refusals[404]) : failure;
  return (
    <section className="card stop">
      <h1>{title}</h1>
      <p className="lead">{lead}</p>
      <Link className="button" to="/documents">
        To the documents
      </Link>
    </section>
  );
}

const refusals: Record<number, [string, string]> = {
  403: ["Not allowed", "There is nothing here for you."],
  404: ["Not found", "There is no such page."],
};
const failure = ["Something went wrong", "It is not you. Please try again later."];
