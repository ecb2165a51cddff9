import { data } from "react-router";
import { documents } from "../../../workspace/records.mjs";
import { authz } from "../lib/authz.server";
import { documentResource } from "../lib/rows.server";
import type { Route } from "./+types/api.document";

/** What each method does, in the words of the policies. */
const actions: Record<string, string> = { GET: "view", HEAD: "view", DELETE: "delete" };

/** In front of loader and action: neither runs for what the policies do not allow. */
export const middleware: Route.MiddlewareFunction[] = [
  authz.middleware({
    resource: ({ params: { id = "" } }) => {
      const row = documents.get(id);
      return row && documentResource(row);
    },
    action: ({ request }) => {
      const action = actions[request.method];
      if (action === undefined) throw data(null, 405);
      return action;
    },
  }),
];

export const loader = ({ params }: Route.LoaderArgs) => Response.json(documents.get(params.id));

export function action({ params }: Route.ActionArgs) {
  documents.delete(params.id);
  return new Response(null, { status: 204 });
}
