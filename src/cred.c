// SPDX-License-Identifier: GPL-2.0-only
/*
 * Credentials and namespaces, as far as a mount refers to them. Follows
 * kernel/cred.c and kernel/nsproxy.c; all tasks share the initial ones unless a
 * scenario gives them others.
 *
 * Lock order: none is taken here.
 */
#include "vfs.h"

struct user_namespace init_user_ns KSTATE = { .count = ATOMIC_INIT(1) };
struct net init_net KSTATE = { .count = ATOMIC_INIT(1) };
struct nsproxy init_nsproxy KSTATE = { .net_ns = &init_net };
struct cred init_cred KSTATE = {
	.usage = ATOMIC_INIT(1),
	.capabilities = ~0UL,
	.user_ns = &init_user_ns,
};

const struct cred *current_cred(void)
{
	const struct cred *cred = get_current()->cred;

	return cred ? cred : &init_cred;
}

const struct cred *get_cred(const struct cred *cred)
{
	((struct cred *)cred)->usage.counter++;
	return cred;
}

void put_cred(const struct cred *cred)
{
	BUG_ON(--((struct cred *)cred)->usage.counter < 1);
}

struct user_namespace *get_user_ns(struct user_namespace *ns)
{
	ns->count.counter++;
	return ns;
}

void put_user_ns(struct user_namespace *ns)
{
	BUG_ON(--ns->count.counter < 1);
}

struct net *get_net(struct net *net)
{
	net->count.counter++;
	return net;
}

void put_net(struct net *net)
{
	BUG_ON(--net->count.counter < 1);
}

char *fs_strdup(const char *text, const char *tag)
{
	size_t size = strlen(text) + 1;
	char *copy = eng_alloc(size, tag, false, __builtin_return_address(0));

	if (copy)
		memcpy(copy, text, size);
	return copy;
}
