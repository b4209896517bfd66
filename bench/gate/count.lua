-- What wrk knows at the end, exactly: its own summary rounds the bytes, and a request that is half answered at the end counts there as none.
done = function(summary, latency, requests)
	local errors = summary.errors
	io.write(string.format("{\"requests\":%d,\"bytes\":%.0f,\"microseconds\":%d,\"p50\":%d,\"p99\":%d,\"errors\":%d}\n", summary.requests, summary.bytes,
		summary.duration, latency:percentile(50), latency:percentile(99), errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
