import { randomUUID } from "node:crypto";
import cookieParser from "cookie-parser";
import { Router } from "express";
import { clientError } from "../errors.mjs";

/** Ties the answer of WorkOS to the browser that has asked, so that nobody is signed in as somebody else by a link. */
const STATE_COOKIE = "sso-state";

/** The ways in and out, and what is where. */
export function signInRoutes({ workos, sessions, redirectUri, clerkSignInUrl }) {
  const router = Router();
  const { origin, pathname: callback } = new URL(redirectUri);
  const stateCookie = { httpOnly: true, sameSite: "lax", secure: origin.startsWith("https:"), path: callback };
  router.use(["/sso", callback], cookieParser());

  router.get("/", (_req, res) => {
    res.json({
      clerk: { signIn: "/sign-in", api: "/api", machines: "/machines" },
      workos: { signIn: "/sso/sign-in", signOut: "/sso/sign-out", api: "/sso/api" },
    });
  });

  router.get("/sign-in", (_req, res) => {
    res.redirect(`${clerkSignInUrl}?${new URLSearchParams({ redirect_url: origin })}`);
  });

  router.get("/sso/sign-in", (_req, res) => {
    const state = randomUUID();
    res.cookie(STATE_COOKIE, state, stateCookie);
    res.redirect(workos.userManagement.getAuthorizationUrl({ provider: "authkit", redirectUri, state }));
  });

  router.get(callback, async (req, res) => {
    const { code, state } = req.query;
    res.clearCookie(STATE_COOKIE, stateCookie);
    if (typeof code !== "string" || state === undefined || state !== req.cookies[STATE_COOKIE]) {
      throw clientError(400, "this browser has not asked for the code");
    }
    const { sealedSession } = await workos.userManagement
      .authenticateWithCode({ code, session: sessions.sealing })
      .catch((error) => {
        throw error.error === "invalid_grant" ? clientError(400, "the code is unknown or used") : error;
      });
    sessions.save(res, sealedSession);
    res.redirect("/");
  });

  router.post("/sso/sign-out", async (req, res) => {
    res.redirect(303, (await sessions.end(req)) ?? "/");
  });

  return router;
}
