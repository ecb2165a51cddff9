"use client";

import { Can } from "orthrus/react";
import { useState } from "react";
import { ActionButton } from "../action-button";
import { deleteDocument, publishDocument, renameDocument } from "../actions";

/** Runs in the browser, with the decisions that the server has made: no policy is here. */
export function DocumentTools({ row }: { row: { id: string; title: string } }) {
  const [renaming, setRenaming] = useState(false);
  const rename = async (form: FormData) => {
    await renameDocument(form);
    setRenaming(false);
  };
  const resource = { kind: "document", id: row.id };
  return (
    <div className="actions">
      <Can resource={resource} action="edit" fallback={<span className="hint">You may read it.</span>}>
        {renaming ? (
          <form action={rename}>
            <input type="hidden" name="id" value={row.id} />
            <input type="text" name="title" defaultValue={row.title} aria-label="Title" />
            <button type="submit" className="primary">
              Save
            </button>
          </form>
        ) : (
          <button type="button" onClick={() => setRenaming(true)}>
            Rename
          </button>
        )}
      </Can>
      <Can resource={resource} action="publish">
        <ActionButton action={publishDocument} row={row} label="Publish" />
      </Can>
      <Can resource={resource} action="delete">
        <ActionButton action={deleteDocument} row={row} label="Delete" className="danger" />
      </Can>
    </div>
  );
}
