// What a lock protects, in words that Clang checks (`-Wthread-safety`, an error under the preset
// `clang`); nothing to other compilers.  On a member: GUARDED_BY says which mutex must be held to
// touch it.  On a function: REQUIRES says what its caller holds, EXCLUDES what it must not hold.
// The mutex itself is base/sync/mutex.h.
#pragma once

#if defined(__clang__)
#define STEPWELL_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define STEPWELL_THREAD_ATTRIBUTE(x)
#endif

// Of members.
#define GUARDED_BY(mutex) STEPWELL_THREAD_ATTRIBUTE(guarded_by(mutex))
#define PT_GUARDED_BY(mutex) STEPWELL_THREAD_ATTRIBUTE(pt_guarded_by(mutex))  // What it points to.

// Of functions.
#define REQUIRES(...) STEPWELL_THREAD_ATTRIBUTE(requires_capability(__VA_ARGS__))
#define EXCLUDES(...) STEPWELL_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) STEPWELL_THREAD_ATTRIBUTE(acquire_capability(__VA_ARGS__))
#define RELEASE(...) STEPWELL_THREAD_ATTRIBUTE(release_capability(__VA_ARGS__))
#define RETURN_CAPABILITY(mutex) STEPWELL_THREAD_ATTRIBUTE(lock_returned(mutex))
// The reason stands beside each use.
#define NO_THREAD_SAFETY_ANALYSIS STEPWELL_THREAD_ATTRIBUTE(no_thread_safety_analysis)

// Of types.
#define CAPABILITY(name) STEPWELL_THREAD_ATTRIBUTE(capability(name))
#define SCOPED_CAPABILITY STEPWELL_THREAD_ATTRIBUTE(scoped_lockable)
