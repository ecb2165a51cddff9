import { ClosedError, type OrthrusError } from "../errors.js";
import type { BundleSource } from "./source.js";
import type { BundleIdentity, BundleRefresh, BundleState } from "./state.js";
import { loadNewer, type Mark } from "./version.js";

/** What a refresher is made with. */
export interface Refreshing {
  source: BundleSource;
  /** Lets other policies decide from here on. Throws if they are refused, and then changes nothing. */
  install(bytes: Uint8Array): BundleIdentity;
  /** After how many milliseconds policies are stale. */
  every: number;
  /** Whether to ask by a timer, and not only when told to. */
  timer: boolean;
  onRefresh: ((refresh: BundleRefresh) => void) | undefined;
  /** Milliseconds since 1970. */
  clock(): number;
}

/** One asking of the source. */
interface Flight {
  readonly started: number;
  /** Whether other policies decide. */
  landed: Promise<boolean>;
}

/** How long to wait after a failure; twice as long after each further one. */
const FIRST_PAUSE = 1000;
/**
 * After how many milliseconds a flight counts as lost. Sources have limits of their own; but a Worker may be stopped in the middle
 * of one, and its promise is then never settled.
 */
export const LOST_AFTER = 60_000;

const DONE = Promise.resolve();
const PASSED_OVER = () => undefined;

/**
 * Keeps policies up to date: asks their source, hands what is new to the engine, and leaves what there is where either fails. The
 * source is asked by one at a time.
 */
export class BundleRefresher {
  readonly #setup: Refreshing;
  #state: BundleState;
  #known: Mark;
  #flight: Flight | undefined;
  #tried: number;
  #failures = 0;
  #stopped = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(setup: Refreshing, loaded: BundleIdentity, known: Mark) {
    const { source, every, clock } = setup;
    this.#setup = setup;
    this.#known = known;
    this.#tried = clock();
    const now = new Date(this.#tried);
    this.#state = { ...loaded, source: source.name, loadedAt: now, checkedAt: now, error: undefined };
    this.#schedule(every);
  }

  get state(): BundleState {
    return this.#state;
  }

  /** Asks the source; resolves to whether other policies decide. Rejects with why that failed. */
  refresh(): Promise<boolean> {
    return this.#flying()?.landed ?? this.#takeOff();
  }

  /**
   * Asks the source if it is time. Never rejects, and never waits for what another caller began: in a Worker, a request must not
   * wait for the input and output of another one.
   */
  refreshIfStale(): Promise<void> {
    const now = this.#setup.clock();
    // A clock that was set back must not keep policies fresh.
    const isFresh = now < this.#tried + this.#pause() && now >= this.#tried;
    return isFresh || this.#flying() !== undefined ? DONE : this.#takeOff().then(PASSED_OVER, PASSED_OVER);
  }

  /** What is under way is of no use any more. */
  stop(): void {
    this.#stopped = true;
    this.#flight = undefined;
    clearTimeout(this.#timer);
  }

  #flying(): Flight | undefined {
    const flight = this.#flight;
    return flight !== undefined && this.#setup.clock() - flight.started < LOST_AFTER ? flight : undefined;
  }

  #pause(): number {
    const { every } = this.#setup;
    return this.#failures === 0 ? every : Math.min(every, FIRST_PAUSE * 2 ** (this.#failures - 1));
  }

  #takeOff(): Promise<boolean> {
    const flight: Flight = { started: this.#setup.clock(), landed: Promise.resolve(false) };
    this.#flight = flight;
    this.#tried = flight.started;
    this.#schedule(LOST_AFTER);
    flight.landed = this.#fly(flight).finally(() => {
      if (this.#flight === flight) {
        this.#flight = undefined;
        this.#schedule(this.#pause());
      }
    });
    return flight.landed;
  }

  async #fly(flight: Flight): Promise<boolean> {
    let refresh: BundleRefresh;
    try {
      const { digest } = this.#state;
      const found = await loadNewer(this.#setup.source, { digest, etag: this.#known.etag }, this.#known);
      if (this.#isOver(flight)) {
        return false;
      }
      refresh = "bytes" in found ? this.#replace(found.bytes, found.mark) : this.#confirm(found);
    } catch (error) {
      if (this.#isOver(flight)) {
        return false;
      }
      refresh = this.#fail(error as OrthrusError);
    }
    this.#setup.onRefresh?.(refresh);
    if (refresh.outcome === "failed") {
      throw refresh.error;
    }
    return refresh.outcome === "updated";
  }

  /** Whether another flight has begun since: what this one found may be older. */
  #isOver(flight: Flight): boolean {
    if (this.#stopped) {
      throw new ClosedError();
    }
    return this.#flight !== flight;
  }

  #replace(bytes: Uint8Array, mark: Mark): BundleRefresh {
    const loaded = this.#setup.install(bytes);
    const { digest, keyId } = this.#state;
    if (loaded.digest === digest && loaded.keyId === keyId) {
      return this.#confirm(mark);
    }
    const now = this.#succeed(mark);
    this.#state = { ...this.#state, ...loaded, loadedAt: now, checkedAt: now, error: undefined };
    return { outcome: "updated", bundle: this.#state };
  }

  #confirm(mark: Mark): BundleRefresh {
    this.#state = { ...this.#state, checkedAt: this.#succeed(mark), error: undefined };
    return { outcome: "unchanged", bundle: this.#state };
  }

  #succeed(mark: Mark): Date {
    this.#known = mark;
    this.#failures = 0;
    return new Date(this.#setup.clock());
  }

  #fail(error: OrthrusError): BundleRefresh {
    this.#failures += 1;
    this.#state = { ...this.#state, error };
    return { outcome: "failed", error, bundle: this.#state };
  }

  #schedule(delay: number): void {
    clearTimeout(this.#timer);
    if (!this.#setup.timer || this.#stopped) {
      return;
    }
    // A timer must keep alive neither the process nor an engine that nobody can reach any more.
    const weak = new WeakRef(this);
    const timer = setTimeout(() => weak.deref()?.refresh().catch(PASSED_OVER), delay);
    this.#timer = timer;
    if (typeof timer === "object") {
      timer.unref();
    }
  }
}
