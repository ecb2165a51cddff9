/** Who asks: what the SDKs have verified, as principals. Nothing else in a request says who somebody is. */

import { getAuth } from "@clerk/express";
import { principalFromClerk } from "orthrus/clerk";
import { principalFromWorkOS } from "orthrus/workos";

/** Somebody with a session of Clerk, as a bearer token or as cookies. Their API keys are somebody else. */
export const clerkPerson = (req) => principalFromClerk(getAuth(req));

/** An API key or a machine, with a bearer token of Clerk. */
export const clerkMachine = (req) => principalFromClerk(getAuth(req, { acceptsToken: ["api_key", "m2m_token"] }));

/** Somebody with a sealed session of WorkOS, in a cookie. */
export const workosPerson = (sessions) => async (req) => principalFromWorkOS(await sessions.authenticate(req));
