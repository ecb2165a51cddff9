import { Can } from "orthrus/react";
import { useState } from "react";
import { Form } from "react-router";
import { ActionButton } from "./action-button";

/** Looks up the decisions that the server has made: no policy is here. */
export function DocumentTools({ row }: { row: { id: string; title: string } }) {
  const [renaming, setRenaming] = useState(false);
  const resource = { kind: "document", id: row.id };
  return (
    <div className="actions">
      <Can resource={resource} action="edit" fallback={<span className="hint">You may read it.</span>}>
        {renaming ? (
          <Form method="post" onSubmit={() => setRenaming(false)}>
            <input type="hidden" name="id" value={row.id} />
            <input type="hidden" name="intent" value="edit" />
            <input type="text" name="title" defaultValue={row.title} aria-label="Title" />
            <button type="submit" className="primary">
              Save
            </button>
          </Form>
        ) : (
          <button type="button" onClick={() => setRenaming(true)}>
            Rename
          </button>
        )}
      </Can>
      <Can resource={resource} action="publish">
        <ActionButton intent="publish" row={row} label="Publish" />
      </Can>
      <Can resource={resource} action="delete">
        <ActionButton intent="delete" row={row} label="Delete" className="danger" />
      </Can>
    </div>
  );
}
