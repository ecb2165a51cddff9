import Link from "next/link";

/** What `forbidden()` shows, with status 403. It does not tell whether there is anything to see. */
export default function Forbidden() {
  return (
    <section className="card stop">
      <h1>Not allowed</h1>
      <p className="lead">There is nothing here for you.</p>
      <Link className="button" href="/documents">
        To the documents
      </Link>
    </section>
  );
}
