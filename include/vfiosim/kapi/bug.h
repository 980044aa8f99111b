/* SPDX-License-Identifier: GPL-2.0-only */
/* BUG, WARN, printk and its relatives: all of them become events of the run. */
#ifndef VFIOSIM_KAPI_BUG_H
#define VFIOSIM_KAPI_BUG_H

#include <vfiosim/kapi/types.h>

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define __init
#define __exit
#define __read_mostly
#define __maybe_unused __attribute__((unused))
#define __must_check __attribute__((warn_unused_result))
#define __printf(text, first) __attribute__((__format__(__printf__, text, first)))

#define BUILD_BUG_ON(condition) _Static_assert(!(condition), #condition)

/* A BUG ends the run ("bug"); a WARN is a finding ("warn") and the task goes on. */
void bug_at(const char *what, const char *file, int line) SIM(bug_at) __attribute__((noreturn));
void warn_at(const char *what, const char *file, int line) SIM(warn_at);
void warn_format_at(const char *file, int line, const char *format, ...)
	SIM(warn_format_at) __printf(3, 4);

#define BUG() bug_at("BUG()", __FILE__, __LINE__)
#define BUG_ON(condition)						\
	do {								\
		if (unlikely(condition))				\
			bug_at(#condition, __FILE__, __LINE__);		\
	} while (0)

#define WARN_ON(condition)						\
	({								\
		bool warn_on_ = !!(condition);				\
		if (unlikely(warn_on_))					\
			warn_at(#condition, __FILE__, __LINE__);	\
		warn_on_;						\
	})
#define WARN(condition, ...)						\
	({								\
		bool warn_ = !!(condition);				\
		if (unlikely(warn_))					\
			warn_format_at(__FILE__, __LINE__, __VA_ARGS__); \
		warn_;							\
	})

/* Once in a run: the flag is kernel state. */
#define WARN_ON_ONCE(condition)						\
	({								\
		static bool warned_ KSTATE = false;			\
		bool once_ = !!(condition);				\
		if (unlikely(once_ && !warned_)) {			\
			warned_ = true;					\
			warn_at(#condition, __FILE__, __LINE__);	\
		}							\
		once_;							\
	})
#define WARN_ONCE(condition, ...)					\
	({								\
		static bool warned_ KSTATE = false;			\
		bool once_ = !!(condition);				\
		if (unlikely(once_ && !warned_)) {			\
			warned_ = true;					\
			warn_format_at(__FILE__, __LINE__, __VA_ARGS__); \
		}							\
		once_;							\
	})

enum printk_level {
	LEVEL_EMERG,
	LEVEL_ALERT,
	LEVEL_CRIT,
	LEVEL_ERR,
	LEVEL_WARNING,
	LEVEL_NOTICE,
	LEVEL_INFO,
	LEVEL_DEBUG,
};

/*
 * @who is a prefix such as a device's name, or NULL. Messages are counted per
 * level, and kept as events of the trace.
 */
void printk_at(enum printk_level level, const char *who, const char *format, ...)
	SIM(printk_at) __printf(3, 4);
unsigned int printk_count(enum printk_level level) SIM(printk_count);

#ifndef pr_fmt
#define pr_fmt(format) format
#endif
#define pr_emerg(format, ...) printk_at(LEVEL_EMERG, NULL, pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) printk_at(LEVEL_CRIT, NULL, pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) printk_at(LEVEL_ERR, NULL, pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) printk_at(LEVEL_WARNING, NULL, pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) printk_at(LEVEL_NOTICE, NULL, pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) printk_at(LEVEL_INFO, NULL, pr_fmt(format), ##__VA_ARGS__)
#define pr_debug(format, ...) printk_at(LEVEL_DEBUG, NULL, pr_fmt(format), ##__VA_ARGS__)

#endif
