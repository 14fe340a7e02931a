/** Secrets the operator granted by name. Prefer endpoints, where the host keeps the secret to itself. */

import * as raw from 'tidegate:plugin/secret@1.0.0';
import { asking } from './border';
import { fatal } from './failure';

/** The secret of this name; fatal when it was not granted. */
export const get = (name: string): string => asking(() => raw.get(name), (reason) => fatal('secret', `secret ${name}: ${reason}`));
