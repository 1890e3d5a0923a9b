/** What could end a link in markdown, or be a placeholder of the Web UI's own. */
const UNSAFE = /[\s<>()[\]{}"'`\\]/;

/**
 * The address of the page where people look at an action, as the Web UI's details link to it: `https://…/{id}`. Throws on anything that is no
 * http(s) address with `{id}` in it.
 */
export function readReviewUrl(text: string): string {
  const parts = text.split('{id}');
  const url = URL.canParse(parts.join('act_')) ? new URL(parts.join('act_')) : undefined;
  if (parts.length !== 2 || url === undefined || !/^https?:$/.test(url.protocol) || UNSAFE.test(parts.join('')) || text.length > 500)
    throw new Error(
      `KEYTURN_REVIEW_URL is no address with {id} in it, such as https://keyturn.example.com/actions/{id}: ${text.slice(0, 200)}`,
    );
  return text;
}
