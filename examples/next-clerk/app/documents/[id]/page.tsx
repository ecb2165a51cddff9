import Link from "next/link";
import { AuthzProvider } from "orthrus/react";
import { allowedDocument } from "../../../lib/rows";
import { DocumentTools } from "./document-tools";

export default async function DocumentPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { row, decided } = await allowedDocument(id, "view", ["edit", "publish", "delete"]);
  const { title, status, ownerId, legalHold } = row;
  return (
    <>
      <h1>{title}</h1>
      <p className="lead">
        <Link href="/documents">All documents</Link>
      </p>
      <div className="card">
        <dl>
          <dt>Status</dt>
          <dd>
            <span className={`badge ${status}`}>{status}</span>
          </dd>
          <dt>Owner</dt>
          <dd>{ownerId}</dd>
          <dt>Legal hold</dt>
          <dd>{legalHold ? "yes: it stays as it is" : "no"}</dd>
        </dl>
        <AuthzProvider decisions={await decided.snapshot()}>
          <DocumentTools row={{ id, title }} />
        </AuthzProvider>
      </div>
    </>
  );
}
