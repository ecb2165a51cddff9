import { AuthzProvider } from "orthrus/react";
import { Link } from "react-router";
import { DocumentTools } from "../document-tools";
import { changeDocument } from "../lib/document-actions.server";
import { allowedDocument } from "../lib/rows.server";
import type { Route } from "./+types/document";

export async function loader(args: Route.LoaderArgs) {
  const { row, decided } = await allowedDocument(args, args.params.id, "view", ["edit", "publish", "delete"]);
  const { id, title, status, ownerId, legalHold } = row;
  return { row: { id, title, status, ownerId, legalHold }, decisions: await decided.snapshot() };
}

export const action = (args: Route.ActionArgs) => changeDocument(args);

export default function DocumentPage({ loaderData }: Route.ComponentProps) {
  const { row, decisions } = loaderData;
  const { title, status, ownerId, legalHold } = row;
  return (
    <>
      <h1>{title}</h1>
      <p className="lead">
        <Link to="/documents">All documents</Link>
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
        <AuthzProvider decisions={decisions}>
          <DocumentTools row={row} />
        </AuthzProvider>
      </div>
    </>
  );
}
