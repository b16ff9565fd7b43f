/* SPDX-License-Identifier: BSD-3-Clause
 *
 * What the kernel says of an interface. netdevice(7), linux/ethtool.h.
 */
#include "worker/host_interface.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

bool
bp_host_interface_is_far_end(unsigned index)
{
	struct ethtool_drvinfo driver = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifreq = {.ifr_data = (void *)&driver};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known;

	if (fd < 0)
		return false;
	known = if_indextoname(index, ifreq.ifr_name) && ioctl(fd, SIOCETHTOOL, &ifreq) == 0;
	close(fd);
	return known && strcmp(driver.driver, "tun") == 0;
}

uint16_t
bp_host_interface_mtu(unsigned index)
{
	struct ifreq ifreq = {0};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known;

	if (fd < 0)
		return 0;
	known = index && if_indextoname(index, ifreq.ifr_name) && ioctl(fd, SIOCGIFMTU, &ifreq) == 0;
	close(fd);
	return known && ifreq.ifr_mtu > 0 && ifreq.ifr_mtu <= UINT16_MAX ? (uint16_t)ifreq.ifr_mtu : 0;
}
