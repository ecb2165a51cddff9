import { Form } from "react-router";

interface Props {
  intent: string;
  row: { id: string; title: string };
  label: string;
  className?: string;
}

/** A button that calls the action of the page's route with the id of a row. */
export function ActionButton({ intent, row, label, className }: Props) {
  return (
    <Form method="post">
      <input type="hidden" name="id" value={row.id} />
      <input type="hidden" name="intent" value={intent} />
      <button type="submit" className={className} aria-label={`${label} ${row.title}`}>
        {label}
      </button>
    </Form>
  );
}
