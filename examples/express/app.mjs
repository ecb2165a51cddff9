import { clerkMiddleware } from "@clerk/express";
import cookieParser from "cookie-parser";
import express from "express";
import { createAuthorize } from "orthrus/express";
import { answerError, notFound } from "./errors.mjs";
import { clerkMachine, clerkPerson, workosPerson } from "./identity.mjs";
import { documentRoutes } from "./routes/documents.mjs";
import { organizationRoutes } from "./routes/organizations.mjs";
import { signInRoutes } from "./routes/sign-in.mjs";
import { WorkOSSessions } from "./workos-sessions.mjs";

/**
 * The application. One set of routes, three doors: each says whom it believes, so that a credential that is good at one is
 * nothing at the others.
 */
export function createApp({ engine, workos, cookiePassword, redirectUri, clerkSignInUrl }) {
  const origin = new URL(redirectUri).origin;
  const sessions = new WorkOSSessions(workos, { cookiePassword, isSecure: origin.startsWith("https:") });
  // Reasons are for this log. Clients only learn that something is not for them.
  const log = ({ principal, action = "do", resource, reason }) =>
    console.info(
      `refused: ${principal?.id} ${action} ${resource ? `${resource.kind}/${resource.id}` : "something"}: ${reason}`,
    );
  const authorizeFor = (principal) => createAuthorize({ engine, principal, log });

  const app = express();
  app.disable("x-powered-by");
  app.use(signInRoutes({ workos, sessions, redirectUri, clerkSignInUrl }));

  // With CLERK_JWT_KEY in the environment, Clerk's session tokens are verified without a call to Clerk. They must have been
  // made for this site.
  const clerk = clerkMiddleware({ authorizedParties: [origin] });
  const people = authorizeFor(clerkPerson);
  app.use("/api", clerk, documentRoutes(people), organizationRoutes(people));

  app.use("/machines", clerk, documentRoutes(authorizeFor(clerkMachine)));

  const employees = authorizeFor(workosPerson(sessions));
  app.use("/sso/api", cookieParser(), documentRoutes(employees), organizationRoutes(employees));

  app.use(notFound, answerError);
  return app;
}
