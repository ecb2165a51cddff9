import { data, Link } from "react-router";
import { type Document, documents } from "../../../workspace/records.mjs";
import { ActionButton } from "../action-button";
import { authz, currentPerson } from "../lib/authz.server";
import { changeDocument } from "../lib/document-actions.server";
import { documentResource } from "../lib/rows.server";
import type { Route } from "./+types/documents";

const actions = ["view", "edit", "publish", "delete"];

export async function loader(args: Route.LoaderArgs) {
  const { isSignedIn } = await currentPerson(args);
  if (!isSignedIn) throw data(null, 401);

  const rows = [...documents.values()];
  const decisions = await authz.snapshot(
    args,
    rows.map((row) => ({ resource: documentResource(row), actions })),
  );
  // What may not be seen stays on the server.
  return rows
    .map(({ id, title, status, ownerId }, index) => ({
      id,
      title,
      status,
      ownerId,
      may: decisions[index]?.actions ?? {},
    }))
    .filter(({ may }) => may.view);
}

export const action = (args: Route.ActionArgs) => changeDocument(args);

export default function Documents({ loaderData }: Route.ComponentProps) {
  return (
    <>
      <h1>Documents</h1>
      <p className="lead">What you may read, and what you may do with each.</p>
      <div className="card">
        <table>
          <thead>
            <tr>
              <th>Title</th>
              <th>Status</th>
              <th>Owner</th>
              <th />
            </tr>
          </thead>
          <tbody>
            {loaderData.map((row) => (
              <DocumentRow key={row.id} row={row} />
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

type Row = Pick<Document, "id" | "title" | "status" | "ownerId"> & { may: Record<string, boolean> };

function DocumentRow({ row }: { row: Row }) {
  const page = `/documents/${row.id}`;
  return (
    <tr>
      <td>
        <Link to={page}>{row.title}</Link>
      </td>
      <td>
        <span className={`badge ${row.status}`}>{row.status}</span>
      </td>
      <td>{row.ownerId}</td>
      <td>
        <div className="actions">
          {row.may.edit && (
            <Link className="button" to={page} aria-label={`Edit ${row.title}`}>
              Edit
            </Link>
          )}
          {row.may.publish && <ActionButton intent="publish" row={row} label="Publish" />}
          {row.may.delete && <ActionButton intent="delete" row={row} label="Delete" className="danger" />}
        </div>
      </td>
    </tr>
  );
}
