import { allowedOrganization } from "../../../lib/rows";
import { inviteColleague } from "./actions";

export default async function OrganizationPage({ params }: { params: Promise<{ id: string }> }) {
  const { id } = await params;
  const { row, decided } = await allowedOrganization(id, "view", ["members:invite"]);
  return (
    <>
      <h1>{row.name}</h1>
      <p className="lead">For its members alone.</p>
      <div className="card">
        <dl>
          <dt>Plan</dt>
          <dd>{row.plan}</dd>
          <dt>Members</dt>
          <dd>{row.seatsUsed}</dd>
          <dt>Owner</dt>
          <dd>{row.ownerId}</dd>
        </dl>
        {decided.isAllowed("members:invite") && (
          <form action={inviteColleague}>
            <input type="hidden" name="id" value={id} />
            <button type="submit">Invite a colleague</button>
          </form>
        )}
      </div>
    </>
  );
}
