interface Props {
  action: (form: FormData) => Promise<void>;
  row: { id: string; title: string };
  label: string;
  className?: string;
}

/** A button that calls a server action with the id of a row. */
export function ActionButton({ action, row, label, className }: Props) {
  return (
    <form action={action}>
      <input type="hidden" name="id" value={row.id} />
      <button type="submit" className={className} aria-label={`${label} ${row.title}`}>
        {label}
      </button>
    </form>
  );
}
