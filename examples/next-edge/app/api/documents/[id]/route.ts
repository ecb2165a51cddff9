import { documents } from "../../../../../workspace/records.mjs";
import { engine } from "../../../../lib/authz";
import { principalOf } from "../../../../lib/people";

export const runtime = "edge";

type Context = { params: Promise<{ id: string }> };

const ACTIONS = { GET: "view", DELETE: "delete" } as const;

async function answer(request: Request, { params }: Context, action: string): Promise<Response> {
  const principal = principalOf(request);
  if (principal === undefined) {
    return Response.json({ error: "unauthorized" }, { status: 401, headers: { "www-authenticate": "Bearer" } });
  }
  const document = documents.get((await params).id);
  const { title, ...attr } = document ?? {};
  const orthrus = await engine();
  const resource = { kind: "document", id: document?.id ?? "none", attr };
  const result = await orthrus.checkResource({ principal, resource, actions: [action] });
  if (document === undefined || result.isAllowed(action) !== true) {
    return Response.json({ error: "forbidden" }, { status: 403 });
  }
  return Response.json({ id: document.id, title, action, policies: orthrus.bundle?.digest });
}

export const GET = (request: Request, context: Context) => answer(request, context, ACTIONS.GET);
export const DELETE = (request: Request, context: Context) => answer(request, context, ACTIONS.DELETE);
