// Package trace reads published traces of serverless platforms, and logs of one's
// own, and makes schedules of them.
//
//	format       file                                                   arrivals
//	azure2019    Azure Functions Trace 2019: invocations_per_function_md a minute's count of each function
//	azure2021    Azure Functions Invocation Trace 2021                   end_timestamp - duration
//	huawei2023   Huawei Private and Public 2023: requests_minute, _second a minute's or a second's count
//	huawei2025   Huawei Public 2025: request tables, cold starts         time_frontend, time_worker or time
//	ibm          IBM Cloud Code Engine 2026, as JSON lines               InvocationTimes
//	vegeta       results of vegeta, as JSON or CSV                       timestamp
//	log          an access log in the common or combined format          its times, to the second
//	json         a log of JSON lines with a time                         time, timestamp, ts or @timestamp
//	csv          times, one a line, or a table with such a column        seconds, or RFC 3339
//
// IBM publishes Python pickles, which only Python reads:
// df.to_json("week_1.jsonl", orient="records", lines=True) makes lines of them.
// A file that ends in .gz is unpacked as it is read. Beside an azure2019 file, those of
// durations and memory are read too, if they lie in the same folder.
//
// Sources: the READMEs of Azure/AzurePublicDataset (AzureFunctionsDataset2019,
// AzureFunctionsInvocationTrace2021), of sir-lab/data-release (2023, 2025) and of
// ubc-cirrus-lab/ibm-cloud-code-engine-traces.
//
// Counts don't say when within their minute invocations arrived, so each is
// placed: at random, which is a Poisson process whose count is known; evenly, from a
// phase of the function's own; or as a Poisson process whose mean is the count. Never
// all at the first second, as replayers do that take the minute for the time: then a
// thousand functions fire as one.
//
// A trace is kept as counts, a few bytes for each minute that has any, or as times,
// eight bytes each; the file itself is never held whole.
package trace
