# The distribution's presets decide whether it starts at boot; `systemctl enable --now` starts it.
if [ -d /run/systemd/system ]; then
    systemctl daemon-reload || :
    if [ "$1" -eq 1 ]; then
        systemctl --no-reload preset cloakroom-server.service || :
    fi
fi
