/** Sessions of WorkOS in a cookie that only this application can read. */

const COOKIE = "wos-session";

export class WorkOSSessions {
  #workos;
  #cookiePassword;
  #cookieOptions;

  /** `cookiePassword` seals the cookie; it has 32 characters at least. */
  constructor(workos, { cookiePassword, isSecure }) {
    this.#workos = workos;
    this.#cookiePassword = cookiePassword;
    // "lax": other sites may link here, and not post.
    this.#cookieOptions = { httpOnly: true, sameSite: "lax", secure: isSecure, path: "/" };
  }

  /** What seals a session, for the SDK's `authenticateWith…` methods. */
  get sealing() {
    return { sealSession: true, cookiePassword: this.#cookiePassword };
  }

  /** The session of a request, verified. One whose token has expired is refreshed, and the new one goes to the response. */
  async authenticate(req) {
    const session = this.#of(req);
    try {
      const found = await session.authenticate();
      if (found.authenticated || found.reason !== "invalid_jwt") return found;
      const refreshed = await session.refresh();
      if (refreshed.authenticated) this.save(req.res, refreshed.sealedSession);
      return refreshed;
    } catch (error) {
      // The SDK throws where the token names a key that WorkOS does not have: that is nobody, too.
      if (error.code === "ERR_JWKS_NO_MATCHING_KEY") return { authenticated: false, reason: "unknown_key" };
      throw error;
    }
  }

  save(res, sealedSession) {
    res.cookie(COOKIE, sealedSession, this.#cookieOptions);
  }

  /** Ends the session; resolves to the address at WorkOS that ends it there, or to `undefined` for nobody. */
  async end(req) {
    const { authenticated, sessionId } = await this.authenticate(req);
    req.res.clearCookie(COOKIE, this.#cookieOptions);
    return authenticated ? this.#workos.userManagement.getLogoutUrl({ sessionId }) : undefined;
  }

  #of(req) {
    const sessionData = req.cookies[COOKIE] ?? "";
    return this.#workos.userManagement.loadSealedSession({ sessionData, cookiePassword: this.#cookiePassword });
  }
}
