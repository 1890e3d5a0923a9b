import type { ContentfulStatusCode } from 'hono/utils/http-status';

/** The bank says no. Thrown inside a transaction it also rolls it back: a refusal leaves no trace in the book. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  constructor(
    readonly status: ContentfulStatusCode,
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}
