/** The few looks the command line knows. Meaning never hangs on them alone. */
export interface Paint {
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly alarm: (text: string) => string;
}

const sgr = (on: number, off: number) => (text: string) => `\u001b[${on}m${text}\u001b[${off}m`;
const plain = (text: string): string => text;

export const paintOf = (color: boolean): Paint =>
  color ? { bold: sgr(1, 22), dim: sgr(2, 22), alarm: sgr(31, 39) } : { bold: plain, dim: plain, alarm: plain };
