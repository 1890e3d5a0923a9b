import { callBank } from './call.js';
import { balanceSchema, faultsSchema, type Balance, type FaultSettings } from './wire.js';

/** What tests and the demo order at the bank: closed accounts and trouble. */
export class BankAdmin {
  constructor(
    private readonly url: string,
    private readonly password: string,
  ) {}

  /** Closes or reopens an account; kept in the book. */
  async setClosed(iban: string, closed: boolean): Promise<Balance> {
    return callBank(this.url, 10_000, this.put(`/accounts/${encodeURIComponent(iban)}`, { closed }), balanceSchema);
  }

  /** Replaces all faults; what is left out is off. Forgotten when the bank restarts. */
  async setFaults(faults: Partial<FaultSettings>): Promise<FaultSettings> {
    return callBank(this.url, 10_000, this.put('/faults', faults), faultsSchema);
  }

  private put(path: string, body: object) {
    return { method: 'PUT', path, body, password: this.password } as const;
  }
}
