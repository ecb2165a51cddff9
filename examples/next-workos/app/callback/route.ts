import { handleAuth } from "@workos-inc/authkit-nextjs";

/** WorkOS sends people back here after they have signed in. */
export const GET = handleAuth({ returnPathname: "/documents" });
