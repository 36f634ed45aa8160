import { DatabaseSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';

// A thread: what is written into the database file and synced here keeps nobody waiting, readers and writers go on meanwhile.
const database = new DatabaseSync(String(workerData));
// The log is synced before anything of it is moved, the database before the log is begun anew.
database.exec(
  'pragma synchronous = normal; pragma busy_timeout = 0; pragma wal_autocheckpoint = 0; pragma cache_size = -256',
);
const move = database.prepare('pragma wal_checkpoint(passive)');

parentPort?.on('message', (message) => {
  if (message === 'close') {
    database.close();
    parentPort?.close();
    return;
  }
  try {
    move.all();
  } catch {
    // It is tried again, and told by whoever writes when the log is long.
  }
  parentPort?.postMessage('moved');
});
