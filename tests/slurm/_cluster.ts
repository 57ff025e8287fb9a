import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

/** A Slurm of one node that runs as long as it is not disposed of. */
export interface Cluster extends AsyncDisposable {
  /** The environment in which its commands find it. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs a command of Slurm, such as squeue; what it printed. */
  readonly slurm: (command: string, ...args: readonly string[]) => Promise<string>;
  /** Waits until no job is left. */
  readonly idle: () => Promise<void>;
}

/**
 * Starts munge, slurmctld and slurmd in a folder, by the user who runs this, without control groups.
 * Debian's slurm-wlm and munge must be installed.
 */
export async function startCluster(folder: string): Promise<Cluster> {
  for (const name of ["state", "spool", "munge"]) await Deno.mkdir(join(folder, name));
  const host = Deno.hostname();
  const user = new TextDecoder().decode(
    (await new Deno.Command("id", { args: ["-un"] }).output()).stdout,
  ).trim();
  const key = join(folder, "munge", "key");
  await Deno.writeFile(key, crypto.getRandomValues(new Uint8Array(1024)), { mode: 0o600 });
  await Deno.chmod(join(folder, "munge"), 0o711);
  await Deno.chmod(folder, 0o755);
  const socket = join(folder, "munge", "socket");
  const memory = Math.floor(0.9 * Deno.systemMemoryInfo().total / 2 ** 20);
  const [controller, daemon] = [freePort(), freePort()];
  const conf = join(folder, "slurm.conf");
  await Deno.writeTextFile(
    conf,
    [
      "ClusterName=test",
      `SlurmctldHost=${host}(127.0.0.1)`,
      `SlurmctldPort=${controller}`,
      `SlurmdPort=${daemon}`,
      `SlurmUser=${user}`,
      `SlurmdUser=${user}`,
      `AuthInfo=socket=${socket}`,
      `StateSaveLocation=${join(folder, "state")}`,
      `SlurmdSpoolDir=${join(folder, "spool")}`,
      `SlurmctldPidFile=${join(folder, "slurmctld.pid")}`,
      `SlurmdPidFile=${join(folder, "slurmd.pid")}`,
      "ProctrackType=proctrack/linuxproc",
      "TaskPlugin=task/none",
      "SelectType=select/cons_tres",
      "SelectTypeParameters=CR_Core_Memory",
      "ReturnToService=2",
      "MinJobAge=30",
      "KillWait=2",
      "SchedulerParameters=sched_interval=1",
      `NodeName=${host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=${memory} State=UNKNOWN`,
      `PartitionName=all Nodes=${host} Default=YES MaxTime=INFINITE State=UP`,
      "",
    ].join("\n"),
  );
  const env = { SLURM_CONF: conf };
  const daemons: Deno.ChildProcess[] = [];
  const start = (command: string, ...args: readonly string[]) => {
    const process = new Deno.Command(command, {
      args: [...args],
      env,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    daemons.push(process);
  };
  const munge = ["pid", "seed", "log"].map((name) =>
    `--${{ pid: "pid-file", seed: "seed-file", log: "log-file" }[name]}=${
      join(folder, "munge", name)
    }`
  );
  start("munged", "--foreground", "--force", `--socket=${socket}`, `--key-file=${key}`, ...munge);
  await until(() => exists(socket));
  start("slurmctld", "-D", "-f", conf, "-L", join(folder, "slurmctld.log"));
  start("slurmd", "-D", "-f", conf, "-L", join(folder, "slurmd.log"));
  const slurm = async (command: string, ...args: readonly string[]) => {
    const { success, stdout, stderr } = await new Deno.Command(command, { args: [...args], env })
      .output();
    if (!success) throw new Error(`${command}: ${new TextDecoder().decode(stderr)}`);
    return new TextDecoder().decode(stdout);
  };
  const ready = () => slurm("sinfo", "--noheader", "--format=%T").then((text) => /idle/.test(text));
  await until(() => ready().catch(() => false));
  return {
    env,
    slurm,
    idle: () => until(async () => (await slurm("squeue", "--noheader")).trim() === ""),
    [Symbol.asyncDispose]: async () => {
      for (const process of daemons.toReversed()) {
        try {
          process.kill("SIGTERM");
        } catch {
          // It has ended.
        }
        await process.status;
      }
    },
  };
}

/** Waits until something holds; fails after five minutes. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 600; attempt++) {
    if (await holds()) return;
    await sleep(500);
  }
  throw new Error("Slurm did not come to it in five minutes.");
}

function exists(path: string): Promise<boolean> {
  return Deno.lstat(path).then(() => true, () => false);
}

function freePort(): number {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  return (listener.addr as Deno.NetAddr).port;
}
