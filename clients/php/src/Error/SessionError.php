<?php

declare(strict_types=1);

namespace Cloakroom\Session\Error;

/**
 * The base of all that this package throws.
 *
 * None of these is Magento's SessionException: Magento answers that one by using local files, which logs everybody out.
 */
abstract class SessionError extends \RuntimeException
{
}
