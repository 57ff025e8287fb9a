import { equal, ok, throws } from "node:assert/strict";
import { correlation } from "../../lib/metrics/mod.ts";

Deno.test("correlation() is NumPy's corrcoef", () => {
  // np.corrcoef([1, 2, 3, 4.5], [2, 4, 5, -4])[0, 1]
  ok(Math.abs(correlation([1, 2, 3, 4.5], [2, 4, 5, -4])! - -0.6299878849648557) < 1e-12);
  equal(correlation([1, 2, 3], [10, 20, 30]), 1);
});

Deno.test("correlation() says nothing of a constant list", () => {
  equal(correlation([1, 1, 1], [1, 2, 3]), null);
  throws(() => correlation([1], [1]), RangeError);
  throws(() => correlation([1, 2], [1]), RangeError);
});
