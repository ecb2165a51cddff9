import Link from "next/link";
import { unauthorized } from "next/navigation";
import { type Document, documents } from "../../../workspace/records.mjs";
import { authz, currentPerson } from "../../lib/authz";
import { documentResource } from "../../lib/rows";
import { ActionButton } from "./action-button";
import { deleteDocument, publishDocument } from "./actions";

const actions = ["view", "edit", "publish", "delete"];

export default async function Documents() {
  const { isSignedIn } = await currentPerson();
  if (!isSignedIn) unauthorized();

  const rows = [...documents.values()];
  const decisions = await authz.snapshot(rows.map((row) => ({ resource: documentResource(row), actions })));
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
            {rows.map((row, index) => {
              const may = decisions[index]?.actions ?? {};
              return may.view && <DocumentRow key={row.id} row={row} may={may} />;
            })}
          </tbody>
        </table>
      </div>
    </>
  );
}

function DocumentRow({ row, may }: { row: Document; may: Record<string, boolean> }) {
  const page = `/documents/${row.id}`;
  return (
    <tr>
      <td>
        <Link href={page}>{row.title}</Link>
      </td>
      <td>
        <span className={`badge ${row.status}`}>{row.status}</span>
      </td>
      <td>{row.ownerId}</td>
      <td>
        <div className="actions">
          {may.edit && (
            <Link className="button" href={page} aria-label={`Edit ${row.title}`}>
              Edit
            </Link>
          )}
          {may.publish && <ActionButton action={publishDocument} row={row} label="Publish" />}
          {may.delete && <ActionButton action={deleteDocument} row={row} label="Delete" className="danger" />}
        </div>
      </td>
    </tr>
  );
}
