import { documents } from "../../../../../workspace/records.mjs";
import { authz } from "../../../../lib/authz";
import { documentResource } from "../../../../lib/rows";

type Context = { params: Promise<{ id: string }> };

async function resource(_request: Request, { params }: Context) {
  const row = documents.get((await params).id);
  return row && documentResource(row);
}

export const GET = authz.handler<Context>({ resource, action: "view" }, async (_request, { params }) =>
  Response.json(documents.get((await params).id)),
);

export const DELETE = authz.handler<Context>({ resource, action: "delete" }, async (_request, { params }) => {
  documents.delete((await params).id);
  return new Response(null, { status: 204 });
});
