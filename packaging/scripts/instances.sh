# The instances that are enabled, by name: each is a link, and systemctl disable and start take no pattern for them.
enabled_instances() {
    for link in /etc/systemd/system/*.wants/cloakroom-server@?*.service; do
        if [ -L "$link" ]; then
            basename "$link"
        fi
    done
}
