/** What `unauthorized()` shows, with status 401. */
export default function Unauthorized() {
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
